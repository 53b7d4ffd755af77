// The countries of ISO 3166-1 (and XK, which databases use for Kosovo): two letters, the number by which the map's shapes are known, the name; and, of those that
// are too small to have a shape on the map, a place for a dot (longitude, latitude).
// In: two letters as records have them. Out: rows of the table. Knows nothing of the page.

const TABLE = `
AD 020 1.6,42.5 Andorra
AE 784 - United Arab Emirates
AF 004 - Afghanistan
AG 028 -61.8,17.3 Antigua & Barbuda
AI 660 -63.1,18.2 Anguilla
AL 008 - Albania
AM 051 - Armenia
AO 024 - Angola
AQ 010 - Antarctica
AR 032 - Argentina
AS 016 -170.7,-14.3 American Samoa
AT 040 - Austria
AU 036 - Australia
AW 533 -70,12.5 Aruba
AX 248 20,60.2 Åland Islands
AZ 031 - Azerbaijan
BA 070 - Bosnia & Herzegovina
BB 052 -59.6,13.2 Barbados
BD 050 - Bangladesh
BE 056 - Belgium
BF 854 - Burkina Faso
BG 100 - Bulgaria
BH 048 50.5,26 Bahrain
BI 108 - Burundi
BJ 204 - Benin
BL 652 -62.8,17.9 St. Barthélemy
BM 060 -64.8,32.3 Bermuda
BN 096 - Brunei
BO 068 - Bolivia
BQ 535 -68.3,12.2 Caribbean Netherlands
BR 076 - Brazil
BS 044 - Bahamas
BT 064 - Bhutan
BV 074 3.4,-54.4 Bouvet Island
BW 072 - Botswana
BY 112 - Belarus
BZ 084 - Belize
CA 124 - Canada
CC 166 96.9,-12.2 Cocos (Keeling) Islands
CD 180 - Congo - Kinshasa
CF 140 - Central African Republic
CG 178 - Congo - Brazzaville
CH 756 - Switzerland
CI 384 - Côte d’Ivoire
CK 184 -159.8,-21.2 Cook Islands
CL 152 - Chile
CM 120 - Cameroon
CN 156 - China
CO 170 - Colombia
CR 188 - Costa Rica
CU 192 - Cuba
CV 132 -24,16 Cape Verde
CW 531 -69,12.2 Curaçao
CX 162 105.7,-10.5 Christmas Island
CY 196 - Cyprus
CZ 203 - Czechia
DE 276 - Germany
DJ 262 - Djibouti
DK 208 - Denmark
DM 212 -61.4,15.4 Dominica
DO 214 - Dominican Republic
DZ 012 - Algeria
EC 218 - Ecuador
EE 233 - Estonia
EG 818 - Egypt
EH 732 - Western Sahara
ER 232 - Eritrea
ES 724 - Spain
ET 231 - Ethiopia
FI 246 - Finland
FJ 242 - Fiji
FK 238 - Falkland Islands
FM 583 153.3,7.5 Micronesia
FO 234 -6.9,62.1 Faroe Islands
FR 250 - France
GA 266 - Gabon
GB 826 - United Kingdom
GD 308 -61.7,12.1 Grenada
GE 268 - Georgia
GF 254 -53.1,4 French Guiana
GG 831 -2.6,49.5 Guernsey
GH 288 - Ghana
GI 292 -5.3,36.1 Gibraltar
GL 304 - Greenland
GM 270 - Gambia
GN 324 - Guinea
GP 312 -61.5,16.2 Guadeloupe
GQ 226 - Equatorial Guinea
GR 300 - Greece
GS 239 -36.5,-54.5 South Georgia & South Sandwich Islands
GT 320 - Guatemala
GU 316 144.8,13.4 Guam
GW 624 - Guinea-Bissau
GY 328 - Guyana
HK 344 114.1,22.4 Hong Kong
HM 334 73.5,-53.1 Heard & McDonald Islands
HN 340 - Honduras
HR 191 - Croatia
HT 332 - Haiti
HU 348 - Hungary
ID 360 - Indonesia
IE 372 - Ireland
IL 376 - Israel
IM 833 -4.5,54.2 Isle of Man
IN 356 - India
IO 086 72.4,-7.3 British Indian Ocean Territory
IQ 368 - Iraq
IR 364 - Iran
IS 352 - Iceland
IT 380 - Italy
JE 832 -2.1,49.2 Jersey
JM 388 - Jamaica
JO 400 - Jordan
JP 392 - Japan
KE 404 - Kenya
KG 417 - Kyrgyzstan
KH 116 - Cambodia
KI 296 -167.9,0.9 Kiribati
KM 174 43.7,-11.9 Comoros
KN 659 -62.7,17.3 St. Kitts & Nevis
KP 408 - North Korea
KR 410 - South Korea
KW 414 - Kuwait
KY 136 -80.9,19.4 Cayman Islands
KZ 398 - Kazakhstan
LA 418 - Laos
LB 422 - Lebanon
LC 662 -61,13.9 St. Lucia
LI 438 9.5,47.1 Liechtenstein
LK 144 - Sri Lanka
LR 430 - Liberia
LS 426 - Lesotho
LT 440 - Lithuania
LU 442 - Luxembourg
LV 428 - Latvia
LY 434 - Libya
MA 504 - Morocco
MC 492 7.4,43.8 Monaco
MD 498 - Moldova
ME 499 - Montenegro
MF 663 -63.1,18.1 St. Martin
MG 450 - Madagascar
MH 584 170.3,7 Marshall Islands
MK 807 - North Macedonia
ML 466 - Mali
MM 104 - Myanmar (Burma)
MN 496 - Mongolia
MO 446 113.5,22.2 Macao
MP 580 145.6,15.8 Northern Mariana Islands
MQ 474 -61,14.6 Martinique
MR 478 - Mauritania
MS 500 -62.2,16.7 Montserrat
MT 470 14.4,35.9 Malta
MU 480 57.6,-20.3 Mauritius
MV 462 73.5,3.7 Maldives
MW 454 - Malawi
MX 484 - Mexico
MY 458 - Malaysia
MZ 508 - Mozambique
NA 516 - Namibia
NC 540 - New Caledonia
NE 562 - Niger
NF 574 167.9,-29.1 Norfolk Island
NG 566 - Nigeria
NI 558 - Nicaragua
NL 528 - Netherlands
NO 578 - Norway
NP 524 - Nepal
NR 520 166.9,-0.5 Nauru
NU 570 -169.9,-19 Niue
NZ 554 - New Zealand
OM 512 - Oman
PA 591 - Panama
PE 604 - Peru
PF 258 -144.8,-14.7 French Polynesia
PG 598 - Papua New Guinea
PH 608 - Philippines
PK 586 - Pakistan
PL 616 - Poland
PM 666 -56.3,46.9 St. Pierre & Miquelon
PN 612 -128.3,-24.4 Pitcairn Islands
PR 630 - Puerto Rico
PS 275 - Palestinian Territories
PT 620 - Portugal
PW 585 134.4,7.3 Palau
PY 600 - Paraguay
QA 634 - Qatar
RE 638 55.5,-21.1 Réunion
RO 642 - Romania
RS 688 - Serbia
RU 643 - Russia
RW 646 - Rwanda
SA 682 - Saudi Arabia
SB 090 - Solomon Islands
SC 690 55.5,-4.7 Seychelles
SD 729 - Sudan
SE 752 - Sweden
SG 702 103.8,1.4 Singapore
SH 654 -9.7,-12.4 St. Helena
SI 705 - Slovenia
SJ 744 16,78.5 Svalbard & Jan Mayen
SK 703 - Slovakia
SL 694 - Sierra Leone
SM 674 12.5,43.9 San Marino
SN 686 - Senegal
SO 706 - Somalia
SR 740 - Suriname
SS 728 - South Sudan
ST 678 6.7,0.4 São Tomé & Príncipe
SV 222 - El Salvador
SX 534 -63.1,18.1 Sint Maarten
SY 760 - Syria
SZ 748 - Eswatini
TC 796 -72,21.8 Turks & Caicos Islands
TD 148 - Chad
TF 260 - French Southern Territories
TG 768 - Togo
TH 764 - Thailand
TJ 762 - Tajikistan
TK 772 -171.8,-9.2 Tokelau
TL 626 - Timor-Leste
TM 795 - Turkmenistan
TN 788 - Tunisia
TO 776 -174.8,-20.4 Tonga
TR 792 - Türkiye
TT 780 - Trinidad & Tobago
TV 798 178.5,-7.8 Tuvalu
TW 158 - Taiwan
TZ 834 - Tanzania
UA 804 - Ukraine
UG 800 - Uganda
UM 581 -158.6,15.8 U.S. outlying islands
US 840 - United States
UY 858 - Uruguay
UZ 860 - Uzbekistan
VA 336 12.4,41.9 Vatican City
VC 670 -61.2,13.2 St. Vincent & Grenadines
VE 862 - Venezuela
VG 092 -64.5,18.5 British Virgin Islands
VI 850 -64.8,18 U.S. Virgin Islands
VN 704 - Vietnam
VU 548 - Vanuatu
WF 876 -177.3,-13.9 Wallis & Futuna
WS 882 -172.2,-13.8 Samoa
XK - - Kosovo
YE 887 - Yemen
YT 175 45.2,-12.8 Mayotte
ZA 710 - South Africa
ZM 894 - Zambia
ZW 716 - Zimbabwe
`;

// Shapes without a number, by the name that the map gives them, and whose addresses databases take theirs for.
const UNNUMBERED = { "N. Cyprus": "CY", Somaliland: "SO", Kosovo: "XK" };

function parseRow(line) {
  const [code, numeric, place, ...name] = line.split(" ");
  return { code, numeric: numeric === "-" ? null : numeric, place: place === "-" ? null : place.split(",").map(Number), name: name.join(" ") };
}

export const COUNTRIES = TABLE.trim().split("\n").map(parseRow);

const byCode = new Map(COUNTRIES.map((row) => [row.code, row]));
const byNumeric = new Map(COUNTRIES.filter((row) => row.numeric).map((row) => [row.numeric, row]));

// The row of a country, or null where the letters are no country's.
export function countryOf(code) {
  return byCode.get(String(code).toUpperCase()) ?? null;
}

// Its name; where it has none, the letters as they came.
export function countryName(code) {
  return countryOf(code)?.name ?? String(code);
}

// The letters of a shape of the map, by its number or else its name; null where it is no country's.
export function shapeCountry(shape) {
  return byNumeric.get(shape.id)?.code ?? UNNUMBERED[shape.properties?.name] ?? null;
}
