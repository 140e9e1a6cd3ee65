-- Maps with number keys: count n random multiples of 37 in a map, then look for
-- pairs of neighbours among the keys.

local n = tonumber(arg[1]) or 3000000

local function count_numbers(n)
  local counts = {}
  local seed = 1
  for _ = 1, n do
    seed = seed * 16807 % 2147483647
    local key = seed % 1000003 * 37
    if counts[key] then
      counts[key] = counts[key] + 1
    else
      counts[key] = 1
    end
  end
  return counts
end

local counts = count_numbers(n)
local length = 0
local pair_count = 0
local highest = 0
for key, count in pairs(counts) do
  length = length + 1
  if counts[key + 37] then pair_count = pair_count + 1 end
  if count > highest then highest = count end
end
print(length)
print(pair_count)
print(highest)
