-- Word frequency: make a text of n words from a skewed choice of 1000, split
-- it, count the words in a map and print the most frequent ones.

local n = tonumber(arg[1]) or 1500000

local floor = math.floor

local syllables = { "ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru" }

local function make_text(n)
  local words = {}
  local seed = 1
  for i = 1, n do
    seed = seed * 16807 % 2147483647
    local word = seed % 1000
    word = floor(word * word / 1000)
    words[i] = syllables[floor(word / 100) + 1]
      .. syllables[floor(word / 10) % 10 + 1]
      .. syllables[word % 10 + 1]
  end
  return table.concat(words, " ")
end

local counts = {}
for word in make_text(n):gmatch("[^ ]+") do
  if counts[word] then
    counts[word] = counts[word] + 1
  else
    counts[word] = 1
  end
end

local words = {}
for word in pairs(counts) do
  words[#words + 1] = word
end
table.sort(words)
print(#words)
for _ = 1, 5 do
  local best = words[1]
  for _, word in ipairs(words) do
    if counts[word] > counts[best] then best = word end
  end
  print(best .. " " .. counts[best])
  counts[best] = 0
end
