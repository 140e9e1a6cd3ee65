-- Collatz problem: the start below n with the longest chain.

local n = tonumber(arg[1]) or 200000

local longest = 0
local best = 0
for start = 1, n - 1 do
  local value = start
  local length = 1
  while value ~= 1 do
    if value % 2 == 0 then
      value = value / 2
    else
      value = 3 * value + 1
    end
    length = length + 1
  end
  if length > longest then
    longest = length
    best = start
  end
end
print(best)
print(longest)
