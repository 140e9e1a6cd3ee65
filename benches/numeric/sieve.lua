-- Sieve of Eratosthenes: count and add up the primes up to n.

local n = tonumber(arg[1]) or 10000000

local is_prime = {}
for i = 1, n do
  is_prime[i] = true
end
is_prime[1] = false
local i = 2
while i * i <= n do
  if is_prime[i] then
    for multiple = i * i, n, i do
      is_prime[multiple] = false
    end
  end
  i = i + 1
end

local count = 0
local sum = 0
for i = 2, n do
  if is_prime[i] then
    count = count + 1
    sum = sum + i
  end
end
print(count)
print(string.format("%d", sum))
