-- Random numbers: a linear congruential generator (modulus 2^32) throws n
-- darts at a square and counts those inside the quarter circle.

local n = tonumber(arg[1]) or 7000000

local seed = 42
local function random()
  seed = (seed * 1664525 + 1013904223) % 4294967296
  return seed / 4294967296
end

local function throw_darts(n)
  local inside = 0
  for _ = 1, n do
    local x = random()
    local y = random()
    if x * x + y * y < 1 then inside = inside + 1 end
  end
  return inside
end

print(throw_darts(n))
print(string.format("%d", seed))
