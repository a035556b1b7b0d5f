// What the benches run on Restate. Echo keeps its result, as our tasks do; TwoSteps asks the
// bench's model once in each of its steps, and the second answer takes its time.
import { createRequire } from "node:module";

// Node before 22 has no Promise.withResolvers, which the SDK uses.
Promise.withResolvers ??= function withResolvers() {
  const made = {};
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const require = createRequire(`${process.env.BENCH_MODULES}/`);
const restate = require("@restatedev/restate-sdk");

const ask = async (step, id) => {
  const answer = await fetch(`${process.env.BENCH_MODEL}/${step}/${id}`);
  return answer.text();
};

const echo = restate.workflow({
  name: "Echo",
  handlers: {
    run: async (context, input) => context.run("echo", () => ({ text: input.prompt })),
  },
});

const twoSteps = restate.workflow({
  name: "TwoSteps",
  handlers: {
    run: async (context, input) => {
      await context.run("one", () => ask("one", input.id));
      return context.run("two", () => ask("two", input.id));
    },
  },
});

restate.serve({ services: [echo, twoSteps], port: Number(process.env.BENCH_PORT) });
