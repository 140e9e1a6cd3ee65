-- Counters: closures that count in a variable of the function that made them;
-- 100 of them, each called n times.

local n = tonumber(arg[1]) or 80000

local function make_counter(start, step)
  local count = start
  return function()
    count = count + step
    return count
  end
end

local counters = {}
for i = 1, 100 do
  counters[i] = make_counter(i, i % 7 + 1)
end

local checksum = 0
for _ = 1, n do
  for _, counter in ipairs(counters) do
    checksum = (checksum + counter()) % 1000003
  end
end
print(checksum)
