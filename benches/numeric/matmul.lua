-- Matrix multiplication: the schoolbook product of two n x n matrices,
-- stored as lists of rows.

local n = tonumber(arg[1]) or 320

local function make_matrix(n, seed)
  local matrix = {}
  for i = 0, n - 1 do
    local row = {}
    for j = 0, n - 1 do
      row[j + 1] = (i * seed + j * j) % 11 - 4.5
    end
    matrix[i + 1] = row
  end
  return matrix
end

local function multiply(a, b, n)
  local product = {}
  for i = 1, n do
    local row_of_a = a[i]
    local row = {}
    for j = 1, n do
      local sum = 0
      for k = 1, n do
        sum = sum + row_of_a[k] * b[k][j]
      end
      row[j] = sum
    end
    product[i] = row
  end
  return product
end

local product = multiply(make_matrix(n, 3), make_matrix(n, 7), n)
local trace = 0
local total = 0
for i = 1, n do
  trace = trace + product[i][i]
  for _, element in ipairs(product[i]) do
    total = total + element
  end
end
print(string.format("%d", math.floor(trace * 4)))
print(string.format("%d", math.floor(total * 4)))
