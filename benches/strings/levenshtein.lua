-- Levenshtein distance of two strings of n letters, by dynamic programming
-- with two rows.

local n = tonumber(arg[1]) or 2800

local sub = string.sub

local function random_string(length, seed)
  local letters = {}
  for i = 1, length do
    seed = seed * 16807 % 2147483647
    local letter = seed % 4 + 1
    letters[i] = sub("acgt", letter, letter)
  end
  return table.concat(letters)
end

local function distance(a, b)
  local previous, current = {}, {}
  for j = 0, #b do
    previous[j] = j
  end
  for i = 1, #a do
    current[0] = i
    for j = 1, #b do
      local best = previous[j - 1]
      if sub(a, i, i) ~= sub(b, j, j) then best = best + 1 end
      if previous[j] + 1 < best then best = previous[j] + 1 end
      if current[j - 1] + 1 < best then best = current[j - 1] + 1 end
      current[j] = best
    end
    previous, current = current, previous
  end
  return previous[#b]
end

print(distance(random_string(n, 1), random_string(n, 2)))
