-- Maps with string keys: insert n keys, look up twice as many (half of them
-- absent), remove every third key and add up the values that remain.

local n = tonumber(arg[1]) or 200000

local map = {}
for i = 0, n - 1 do
  map["key" .. i] = i % 1000
end

local found = 0
local sum = 0
for i = 0, 2 * n - 1 do
  local key = "key" .. i * 7 % (2 * n)
  if map[key] ~= nil then
    found = found + 1
    sum = sum + map[key]
  end
end
print(found)
print(sum)

for i = 0, n - 1, 3 do
  map["key" .. i] = nil
end
local length = 0
sum = 0
for _, value in pairs(map) do
  length = length + 1
  sum = sum + value
end
print(length)
print(sum)
