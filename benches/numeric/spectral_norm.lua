-- Spectral norm: power iteration on the infinite matrix
-- a(i, j) = 1 / ((i + j) * (i + j + 1) / 2 + i + 1), cut to n x n.

local n = tonumber(arg[1]) or 600

local function a(i, j)
  return 1 / ((i + j) * (i + j + 1) / 2 + i + 1)
end

local function multiply_a(v, result)
  local size = #v
  for i = 1, size do
    local sum = 0
    for j = 1, size do
      sum = sum + a(i - 1, j - 1) * v[j]
    end
    result[i] = sum
  end
end

local function multiply_transposed(v, result)
  local size = #v
  for i = 1, size do
    local sum = 0
    for j = 1, size do
      sum = sum + a(j - 1, i - 1) * v[j]
    end
    result[i] = sum
  end
end

local function spectral_norm(n)
  local u, v, temporary = {}, {}, {}
  for i = 1, n do
    u[i] = 1
    v[i] = 0
    temporary[i] = 0
  end
  for _ = 1, 10 do
    multiply_a(u, temporary)
    multiply_transposed(temporary, v)
    multiply_a(v, temporary)
    multiply_transposed(temporary, u)
  end
  local uv, vv = 0, 0
  for i = 1, n do
    uv = uv + u[i] * v[i]
    vv = vv + v[i] * v[i]
  end
  return math.sqrt(uv / vv)
end

print(string.format("%d", math.floor(spectral_norm(n) * 1000000000)))
