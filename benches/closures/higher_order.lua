-- Higher-order functions: adders and multipliers made by functions, composed
-- in pairs, composed again, and applied n times.

local n = tonumber(arg[1]) or 6000000

local function make_adder(amount)
  return function(x)
    return x + amount
  end
end

local function make_multiplier(factor)
  return function(x)
    return x * factor % 10007
  end
end

local function compose(first, second)
  return function(x)
    return second(first(x))
  end
end

local steps = {}
for i = 1, 8 do
  local linear = compose(make_multiplier(i + 1), make_adder(i))
  steps[i] = compose(linear, make_multiplier(i + 2))
end

local value = 1
local sum = 0
for round = 1, n do
  local step = steps[round % 8 + 1]
  value = step(value)
  sum = (sum + value) % 1000003
end
print(value)
print(sum)
