-- String building: n times, grow a line to 2000 characters by appending one
-- digit at a time, then look at a few of them.

local n = tonumber(arg[1]) or 2000

local function build(round)
  local line = ""
  for i = 0, 1999 do
    line = line .. (i + round) % 10
  end
  return line
end

local checksum = 0
for round = 1, n do
  local line = build(round)
  local position = round % 2000 + 1
  checksum = (checksum + #line + tonumber(line:sub(position, position)) * round) % 1000003
end
print(checksum)
