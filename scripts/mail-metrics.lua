-- How much mail passes, a line every tick_every seconds in which there was any, in stream mail_metrics.

tick_every = 60 -- seconds of packet time

local counts = {}

local function clear()
  counts = { total = 0, inbound = 0, outbound = 0, inbound_err = 0, outbound_err = 0 }
end
clear()

function on_mail(mail)
  local way = is_local(mail.orig_h) and "outbound" or "inbound"
  counts.total = counts.total + 1
  counts[way] = counts[way] + 1
  if mail.last_error then counts[way .. "_err"] = counts[way .. "_err"] + 1 end
end

function on_tick(seconds)
  if counts.total == 0 then return end
  log("mail_metrics", counts)
  clear()
end
