// Whether what a part is declared as and what its first bytes say contradict each other. Pure.

const VAGUE = new Set(["application/octet-stream", "application/x-download", "application/download", "application/binary", "inode/x-empty"]);
const ZIPPED = /openxmlformats|opendocument|java-archive|epub|android\.package|zip|macroenabled/i;
const ALIKE = [["application/x-pdf", "application/pdf"], ["image/jpg", "image/jpeg"], ["image/pjpeg", "image/jpeg"], ["image/x-png", "image/png"], ["application/x-zip-compressed", "application/zip"], ["application/x-gzip", "application/gzip"], ["application/pgp-signature", "text/plain"], ["application/json", "text/plain"], ["application/xml", "text/xml"], ["application/pgp-keys", "text/plain"]];

export function typesDiffer(declared, found) {
  if (!declared || !found) return false;
  const [a, b] = [declared.toLowerCase(), found.toLowerCase()];
  if (a === b || VAGUE.has(a) || VAGUE.has(b) || /^(multipart|message)\//.test(a)) return false;
  if (a.startsWith("text/") && (b.startsWith("text/") || b === "application/json" || b === "message/rfc822")) return false;
  if (b === "application/zip" && ZIPPED.test(a)) return false;
  if (/^application\/(x-ole-storage|cdfv2|vnd\.ms-office)$/.test(b) && /ms-?(word|excel|powerpoint|outlook)|msword/.test(a)) return false;
  return !ALIKE.some(([x, y]) => a === x && b === y);
}
