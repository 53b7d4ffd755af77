// All views, in the order in which their patterns are tried. Those with nav stand in the navigation, in this order.
// A view: {pattern, title (text, or a function of the route), nav, range: it shows the range of time, wide: it fills the window and scrolls inside,
// async render(root, route)}, which gives nothing, a function that cleans up, or {stop, update(route)}: update is called where only the query changed.

import * as now from "./now.js";
import * as mails from "./mails.js";
import * as mail from "./mail.js";
import * as session from "./session.js";
import * as hosts from "./hosts.js";
import * as host from "./host.js";
import * as map from "./map.js";
import * as paths from "./paths.js";
import * as notices from "./notices.js";
import * as notice from "./notice.js";
import * as login from "./login.js";

export const views = [now, mails, mail, session, hosts, host, map, paths, notices, notice, login];
