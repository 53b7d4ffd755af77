-- What a script of the common kind costs: a few fields of every mail, a count, now and then a tag.
local mails, refused = 0, 0

function on_mail(mail)
  mails = mails + 1
  if mail.last_error then refused = refused + 1 end
  if mail.subject and mail.subject:find("quota") then mail.tags.quota = true end
end
