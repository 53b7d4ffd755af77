-- Hosts whose mail is refused too often.
--
-- A host that opens more than spam_threshold connections in an hour, and is refused in spam_percent of them or more, is sending
-- spam: one of ours is likely infected, one from outside is a spammer. Where it is one of our mail servers,
-- somebody abuses it, or it is on a block list.

spam_threshold = 300 -- connections in an hour
spam_percent = 30    -- of them with a refusal
window = 3600        -- seconds

-- The replies that count as refusals.
reject_codes = {
  [501] = true, -- bad address
  [550] = true, -- no such mailbox, or not wanted
  [551] = true, -- user not local
  [553] = true, -- mailbox name not allowed
  [554] = true, -- transaction failed
}

-- Our own mail servers, as addresses or networks: {"192.0.2.25", "192.0.2.32/28"}
mail_servers = {}

-- Both numbers of a host in one, so that they are forgotten together: connections, and refused ones above them.
local REFUSED = 1 << 32
local seen_of = counter("reject-rates", {expire = window})
local connections = {} -- by uid: what was counted of each that is open

local function kind_of(host)
  if in_nets(host, mail_servers) then
    return "SMTP::Strange_Reject_Behavior", "a high percentage of mail from " .. host .. " is being rejected"
  elseif is_local(host) then
    return "SMTP::Possible_Internal_Spam", host .. " appears to be spamming"
  end
  return "SMTP::Possible_Spam", host .. " appears to be spamming"
end

local function judge(host, number)
  local total, bad = number & (REFUSED - 1), number >> 32
  if total < spam_threshold or bad * 100 < total * spam_percent then return end
  local note, msg = kind_of(host)
  notice {
    note = note, msg = msg, host = host, identifier = host, suppress_for = window,
    sub = string.format("connections: %d, rejected: %d percent", total, bad * 100 // total),
  }
end

function on_reply(scene, code, text, command)
  local uid, host = scene.uid, scene.orig_h
  local seen = connections[uid]
  if not seen then
    seen = {}
    connections[uid] = seen
    judge(host, seen_of:add(host))
  end
  if reject_codes[code] and not seen.refused then
    seen.refused = true
    judge(host, seen_of:add(host, REFUSED))
  end
end

function on_session(session)
  connections[session.uid] = nil
end
