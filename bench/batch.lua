-- Batches of 500 messages to chats chosen at random.
local chats = tonumber(os.getenv("BENCH_CHATS"))
local text = string.rep("Where can we rent kayaks near the beach? ", 4)
local threads = 0
local ITEMS = 500

function setup(thread)
	threads = threads + 1
	thread:set("seed", threads)
end

-- Made beforehand: a script that concatenates a hundred kilobytes per request would be what is measured.
function init()
	math.randomseed(seed)
	wrk.method = "POST"
	wrk.headers["Content-Type"] = "application/json"
	wrk.headers["x-api-key"] = os.getenv("BENCH_KEY")
	bodies = {}
	for b = 1, 64 do
		local items = {}
		for i = 1, ITEMS do
			items[i] = '{"type":"message","chatId":"bench-' .. math.random(1, chats) ..
				'","role":"user","content":"' .. text .. '"}'
		end
		bodies[b] = wrk.format(nil, "/api/batch", nil, "[" .. table.concat(items, ",") .. "]")
	end
	at = 0
end

function request()
	at = at % #bodies + 1
	return bodies[at]
end

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format("RESULT %.0f %.3f %.3f %d\n", ITEMS * summary.requests / (summary.duration / 1e6),
		latency:percentile(50) / 1000, latency:percentile(99) / 1000,
		errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
