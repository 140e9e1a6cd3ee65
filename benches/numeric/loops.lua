-- Nested loops: a while loop around two counting loops with a little
-- arithmetic on whole numbers in the middle.

local n = tonumber(arg[1]) or 600

local total = 0
local round = 0
while round < n do
  for i = 1, 300 do
    for j = 1, 600, 2 do
      total = (total + i * j + round) % 1000003
    end
  end
  round = round + 1
end
print(total)
