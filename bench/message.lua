-- A message to a chat chosen at random among the newest.
local chats = tonumber(os.getenv("BENCH_CHATS"))
local active = tonumber(os.getenv("BENCH_ACTIVE")) -- how many of them, the newest, are spoken in
local text = string.rep("Where can we rent kayaks near the beach? ", 4)
local threads = 0

function setup(thread)
	threads = threads + 1
	thread:set("seed", threads)
end

function init()
	math.randomseed(seed)
	wrk.method = "POST"
	wrk.headers["Content-Type"] = "application/json"
	wrk.headers["x-api-key"] = os.getenv("BENCH_KEY")
end

function request()
	return wrk.format(nil, "/api/chats/message", nil,
		'{"chatId":"bench-' .. math.random(chats - active + 1, chats) .. '","role":"user","content":"' .. text .. '"}')
end

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format("RESULT %.0f %.3f %.3f %d\n", summary.requests / (summary.duration / 1e6),
		latency:percentile(50) / 1000, latency:percentile(99) / 1000,
		errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
