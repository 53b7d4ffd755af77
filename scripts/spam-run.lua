-- A spam run, as all sensors together see it: one host whose mail is refused again and again, or one subject that comes again
-- and again, from several hosts.
--
-- For `mailtap load` (setting load_scripts), where it hears the mails and sessions of all sensors: a run that is spread over
-- several of them stays below the threshold of each. It works at one sensor just as well (--script). A connection
-- that two sensors see counts twice: have them watch different ones.

window = 600           -- seconds
reject_threshold = 20  -- refused mails and connections of one host in that time
subject_threshold = 50 -- mails of one subject in that time
subject_hosts = 5      -- and from so many hosts at least

-- Who may do so: forwarders, lists, our own mail servers, as addresses or networks: {"192.0.2.25", "192.0.2.32/28"}
ignore_hosts = {}

local SUBJECT_BYTES = 100
local rejects = counter("spam-run rejects", {expire = window})
local mails = counter("spam-run mails", {expire = window})
local hosts = counter("spam-run hosts", {expire = window})
local sensors = counter("spam-run sensors", {expire = window})
local known = counter("spam-run known", {expire = window}) -- pairs that were counted, and what was told

-- Of what is counted in `c` by `key`: how many different values came.
local function different(c, what, key, value)
  if known:add(what .. "\0" .. key .. "\0" .. value) > 1 then return c:get(key) end
  return c:add(key)
end

local function tell(what, key, host, msg, sub)
  if known:add("told\0" .. what .. "\0" .. key) > 1 then return end
  notice { note = "SMTP::Spam_Run", host = host, identifier = what .. " " .. key, msg = msg, sub = sub, suppress_for = window }
end

local function refused(record)
  local host = record.orig_h
  if record.disposition ~= "rejected" or in_nets(host, ignore_hosts) then return end
  local seen_by = different(sensors, "sensor", host, record.sensor or "")
  local number = rejects:add(host)
  if number < reject_threshold then return end
  tell("host", host, host, host .. " is sending a spam run: its mail is refused again and again",
    string.format("refused: %d in %d seconds, seen by %d sensors", number, window, seen_by))
end

-- What a run changes from mail to mail: numbers, blanks.
local function shape_of(subject)
  return (subject:lower():gsub("%d+", "#"):gsub("%s+", " "):sub(1, SUBJECT_BYTES))
end

local function one_subject(mail)
  local host = mail.orig_h
  if not mail.subject or mail.subject == "" or mail.list or is_local(host) or in_nets(host, ignore_hosts) then return end
  local subject = shape_of(mail.subject)
  local number, from = mails:add(subject), different(hosts, "host", subject, host)
  local seen_by = different(sensors, "sensor of", "subject " .. subject, mail.sensor or "")
  if number < subject_threshold or from < subject_hosts then return end
  tell("subject", subject, nil, "a spam run comes from many hosts under one subject",
    string.format("%d mails from %d hosts in %d seconds, seen by %d sensors: %s", number, from, window, seen_by, mail.subject))
end

function on_mail(mail)
  refused(mail)
  one_subject(mail)
end

function on_session(session)
  refused(session)
end
