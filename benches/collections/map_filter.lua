-- Map, filter, reduce: n passes over a list of 1000 numbers with functions
-- that take functions and build new lists.

local n = tonumber(arg[1]) or 6000

local function mapped(items, transform)
  local result = {}
  for i, item in ipairs(items) do
    result[i] = transform(item)
  end
  return result
end

local function filtered(items, is_wanted)
  local result = {}
  for _, item in ipairs(items) do
    if is_wanted(item) then result[#result + 1] = item end
  end
  return result
end

local function reduced(items, combine, start)
  local result = start
  for _, item in ipairs(items) do
    result = combine(result, item)
  end
  return result
end

local function pass(items, round)
  local function scale(x)
    return x * round % 1009
  end
  local function is_small(x)
    return x < 500
  end
  local function add(a, b)
    return (a * 3 + b) % 1000003
  end
  return reduced(filtered(mapped(items, scale), is_small), add, round)
end

local numbers = {}
for i = 1, 1000 do
  numbers[i] = i
end
local checksum = 0
for round = 1, n do
  checksum = (checksum + pass(numbers, round)) % 1000003
end
print(checksum)
