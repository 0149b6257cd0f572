// What works behind a server that was just filled comes to its end, as it has where nobody fills two million messages in two
// minutes: else it would be measured along.
import { setTimeout } from 'node:timers/promises';
import { tidy } from './engine.mjs';

// How many messages' words were not in the index yet, and how many a second came to it.
export async function settle(port, database) {
	const lag = async () => {
		const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
		return Number(/^innkeeper_search_lag_messages (\d+)/m.exec(metrics)[1]);
	};
	const began = performance.now();
	const behind = await lag();
	while (await lag() > 0) await setTimeout(200);
	const rate = Math.round(behind / (performance.now() - began) * 1000);
	tidy(database);
	await setTimeout(2000); // the log's pages go home
	return { behind, rate };
}
