-- Ackermann function, ack(3, n): deep recursion.

local n = tonumber(arg[1]) or 9

local function ack(m, n)
  if m == 0 then
    return n + 1
  elseif n == 0 then
    return ack(m - 1, 1)
  else
    local inner = ack(m, n - 1)
    return ack(m - 1, inner)
  end
end

print(ack(3, n))
