-- Phishing for passwords, and who fell for it.
--
-- A sender from outside whose mails speak of passwords and reach more than phishing_threshold recipients in an hour is taken for a
-- phisher, and the address to which answers would go is remembered. When one of our hosts then sends mail to that
-- address, somebody has answered, and a password may be lost. Mail in base64 is not read, but for its subject.
-- Wants the setting local_nets.

phishing_threshold = 50 -- recipients in an hour
window = 3600           -- seconds
remember = 14 * 86400   -- seconds for which an address is remembered

-- What such mails speak of; small letters, matched in any case.
keywords = { "password", "user.?name", "netid" }

-- Senders that may speak of it: {"helpdesk@example.org"}
ignore_senders = {}

local recipients = counter("password-phish recipients", {expire = window})
local answers = counter("password-phish answers", {expire = remember})
local ignored = {}
for _, sender in ipairs(ignore_senders) do ignored[sender:lower()] = true end

local function speaks_of_it(text)
  text = text:lower()
  for _, word in ipairs(keywords) do
    if text:find(word) then return true end
  end
  return false
end

-- The bare address in "Name <a@b>", in small letters.
local function bare(address)
  return (address:match("<([^<>]*)>%s*$") or address):lower()
end

function on_data(scene, line, where)
  if where == "header" or not speaks_of_it(line) or is_local(scene.orig_h) then return end
  scene.tags.password = true
end

local function from_outside(mail)
  if mail.subject and speaks_of_it(mail.subject) then mail.tags.password = true end
  local sender = mail.mailfrom
  if not mail.tags.password or not sender or ignored[sender:lower()] then return end
  log("password_mail", {
    uid = mail.uid, orig_h = mail.orig_h, mailfrom = sender, rcptto = mail.rcptto, subject = mail.subject,
    reply_to = mail.reply_to, msg_id = mail.msg_id,
  })
  local reached = recipients:add(sender:lower(), #mail.rcptto)
  if reached <= phishing_threshold then return end
  local address = bare(mail.reply_to or mail.from or sender)
  if answers:get(address) > 0 then return end
  answers:add(address)
  mail.tags.phishing = true
  notice {
    note = "Phish::Possible_Password_Phish", sub = sender, identifier = address,
    msg = string.format("%s (answers to %s) may be phishing - %s", sender, address, mail.subject or ""),
  }
end

local function from_us(mail)
  for _, recipient in ipairs(mail.rcptto) do
    if answers:get(recipient:lower()) > 0 then
      mail.tags.phishing_answer = true
      notice {
        note = "Phish::Possible_Password_Reply", sub = mail.mailfrom, identifier = (mail.mailfrom or "") .. " " .. recipient:lower(),
        msg = string.format("%s replied to %s - %s", mail.mailfrom or "", recipient, mail.subject or ""),
      }
    end
  end
end

function on_mail(mail)
  if is_local(mail.orig_h) then from_us(mail) else from_outside(mail) end
end
