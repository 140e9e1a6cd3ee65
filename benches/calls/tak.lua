-- Takeuchi function, tak(3n, 2n, n): calls with three arguments that are
-- calls themselves.

local n = tonumber(arg[1]) or 10

local function tak(x, y, z)
  if y >= x then return z end
  return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))
end

print(tak(3 * n, 2 * n, n))
