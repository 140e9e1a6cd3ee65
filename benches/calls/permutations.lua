-- Permutations: visit all orders of 0 .. n-1 by recursion with swaps and add
-- up a checksum of each.

local n = tonumber(arg[1]) or 10

local function visit(items)
  local sum = 0
  for i = 1, #items do
    sum = (sum * 3 + items[i]) % 1009
  end
  return sum
end

local function permute(items, fixed)
  if fixed > #items then return visit(items) end
  local total = 0
  for i = fixed, #items do
    items[fixed], items[i] = items[i], items[fixed]
    total = total + permute(items, fixed + 1)
    items[fixed], items[i] = items[i], items[fixed]
  end
  return total
end

local items = {}
for i = 1, n do
  items[i] = i - 1
end
print(permute(items, 1))
