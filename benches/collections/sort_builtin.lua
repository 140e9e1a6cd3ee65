-- Built-in sorting of n random numbers, n strings and n records by a key.

local n = tonumber(arg[1]) or 250000

local sort = table.sort

local function random_numbers(n, seed)
  local numbers = {}
  for i = 1, n do
    seed = seed * 16807 % 2147483647
    numbers[i] = seed
  end
  return numbers
end

local numbers = random_numbers(n, 1)
sort(numbers)
local checksum = 0
for i = 1, n do
  checksum = (checksum + numbers[i] % 1000 * (i - 1)) % 1000003
end
print(checksum)

local words = {}
for i, number in ipairs(random_numbers(n, 2)) do
  words[i] = "w" .. number
end
sort(words)
checksum = 0
for i = 1, n do
  checksum = (checksum + #words[i] * (i - 1)) % 1000003
end
print(words[1] .. " " .. words[n] .. " " .. checksum)

local records = {}
for i, number in ipairs(random_numbers(n, 3)) do
  records[i] = { id = i - 1, rank = number }
end
sort(records, function(a, b) return a.rank < b.rank end)
checksum = 0
for i = 1, n do
  checksum = (checksum + records[i].id * (i - 1)) % 1000003
end
print(checksum)
