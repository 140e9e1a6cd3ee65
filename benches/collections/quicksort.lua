-- Quicksort, written by hand: sorts n random numbers in place around the
-- middle element (Hoare's partition).

local n = tonumber(arg[1]) or 1200000

local floor = math.floor

local function quicksort(items, low, high)
  local pivot = items[floor((low + high) / 2)]
  local i, j = low, high
  while i <= j do
    while items[i] < pivot do
      i = i + 1
    end
    while items[j] > pivot do
      j = j - 1
    end
    if i <= j then
      items[i], items[j] = items[j], items[i]
      i = i + 1
      j = j - 1
    end
  end
  if low < j then quicksort(items, low, j) end
  if i < high then quicksort(items, i, high) end
end

local numbers = {}
local seed = 1
for i = 1, n do
  seed = seed * 16807 % 2147483647
  numbers[i] = seed
end
quicksort(numbers, 1, n)

local checksum = 0
for i = 2, n do
  if numbers[i] < numbers[i - 1] then print("wrong") end
  checksum = (checksum * 31 + numbers[i]) % 1000003
end
print(checksum)
