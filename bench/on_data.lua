-- What it costs to hear every line of every mail.
local lines = 0

function on_data(scene, line, where)
  lines = lines + 1
end
