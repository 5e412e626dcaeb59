// All cases with the Vercel AI SDK on OpenAI and Anthropic, as an application writes them; versions 4 to 7.

import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const material = JSON.parse(readFileSync(process.env.SPANWISE_MATERIAL, "utf8"));
const text = (name, words = "Where is my order?") => `[case:${name}] ${words}`;
const trackOrder = ({ order }) => `Order ${order} is on a lorry near Graz.`;
const user = (name, words) => [{ role: "user", content: text(name, words) }];

/**
 * Run all cases, each inside one root span.
 *
 * @param {object} sdk
 * @param {object} sdk.ai the package `ai`
 * @param {object} sdk.openai provider of the package `@ai-sdk/openai`
 * @param {object} sdk.anthropic provider of the package `@ai-sdk/anthropic`
 * @param {object} sdk.z the package `zod`
 * @param {number} sdk.version major version of the package `ai`
 * @param {object} sdk.provider OpenTelemetry's tracer provider
 */
export async function runAll(sdk) {
  const tracer = sdk.provider.getTracer("app");
  for (const [name, call] of Object.entries(cases(sdk))) {
    await tracer.startActiveSpan(name, async (span) => {
      await call(name);
      span.end();
    });
    console.log("  ", name);
  }
  await sdk.provider.forceFlush();
  await sdk.provider.shutdown();
}

/** Name of each case, and what runs it. */
function cases({ ai, openai, anthropic, z, version }) {
  const chat = openai.chat(material.OPENAI_MODEL);
  const responses = openai.responses(material.OPENAI_MODEL);
  const claude = anthropic(material.ANTHROPIC_MODEL);
  const embedding = (openai.embedding ?? openai.textEmbeddingModel)(material.EMBEDDING_MODEL);
  const named = (v4, later) => (version === 4 ? v4 : later);
  const tools = {
    [material.TOOL_NAME]: ai.tool({
      description: material.TOOL_DESCRIPTION,
      [named("parameters", "inputSchema")]: z.object({ order: z.string().describe("Its number") }),
      execute: async (input) => trackOrder(input),
    }),
  };
  const steps = version === 4 ? { maxSteps: 3 } : { stopWhen: (ai.stepCountIs ?? ai.isStepCount)(3) };
  const instructions = (words) => ({ [version < 7 ? "system" : "instructions"]: words });
  const maxTokens = (count) => ({ [named("maxTokens", "maxOutputTokens")]: count });

  // Version 7 tells by default, the others when asked to.
  const common = (more = {}) => {
    const { context, ...rest } = more;
    const asked = { model: chat, maxRetries: 0, ...rest };
    if (version >= 7) {
      const shown = Object.fromEntries(Object.keys(context ?? {}).map((key) => [key, true]));
      return context
        ? { ...asked, runtimeContext: context, telemetry: { functionId: "clerk", includeRuntimeContext: shown } }
        : asked;
    }
    const telemetry = { isEnabled: true, functionId: "clerk", ...(context ? { metadata: context } : {}) };
    return { ...asked, experimental_telemetry: telemetry };
  };
  const generate = (messages, more) => ai.generateText({ messages, ...common(more) });
  const stream = async (messages, more) => {
    const result = ai.streamText({ messages, onError: () => {}, ...common(more) });
    const failures = [];
    for await (const part of result.fullStream) {
      if (part.type === "error") failures.push(part.error);
    }
    if (failures.length) throw failures[0];
  };
  const expectError = async (call) => {
    try {
      await call();
    } catch {
      return;
    }
    throw new Error("expected an error");
  };
  const image = (name) => [
    { type: "text", text: text(name) },
    { type: "image", image: Buffer.from(material.PNG_BASE64, "base64"), [named("mimeType", "mediaType")]: "image/png" },
  ];

  const found = {
    "plain chat": (name) => generate(user(name), { temperature: 0.25, ...maxTokens(300) }),
    "plain chat-system": (name) => generate(user(name), instructions(material.SYSTEM)),
    "plain chat-stream": (name) => stream(user(name)),
    "tool chat": (name) => generate(user(name), { tools, ...steps }),
    "tool chat-stream": (name) => stream(user(name), { tools, ...steps }),
    "plain chat-turns": (name) =>
      generate([...material.TURNS.map(([role, content]) => ({ role, content })), ...user(name)]),
    "plain chat-parallel": (name) =>
      Promise.all([1, 2, 3, 4].map((number) => generate(user(`${name}-${number}`)))),
    "plain chat-session": (name) =>
      generate(user(name), { context: { sessionId: material.SESSION, userId: material.USER } }),
    "plain chat-image": (name) => generate([{ role: "user", content: image(name) }]),
    "plain chat-unicode": (name) => generate(user(name, material.UNICODE)),
    "plain chat-long": (name) => generate(user(name, material.LONG)),
    "plain chat-object": (name) =>
      ai.generateObject({ ...common(), ...named({ mode: "json" }, {}), messages: user(name), schema: z.object({ answer: z.string() }) }),
    "error429 chat": (name) => expectError(() => generate(user(name))),
    "error500 chat": (name) => expectError(() => generate(user(name))),
    "retry chat": (name) => generate(user(name), { maxRetries: 2 }),
    "timeout chat": (name) =>
      expectError(() => generate(user(name), { abortSignal: AbortSignal.timeout(material.TIMEOUT_S * 1000) })),
    "cut chat-stream": (name) => expectError(() => stream(user(name))),
    "slow chat-stream": (name) => leave(ai, { messages: user(name), onError: () => {}, ...common() }),
    "plain responses": (name) => generate(user(name), { model: responses, ...instructions(material.SYSTEM) }),
    "plain responses-stream": (name) => stream(user(name), { model: responses }),
    "tool responses": (name) => generate(user(name), { model: responses, tools, ...steps }),
    "think responses": (name) => generate(user(name), { model: responses }),
    "error429 responses": (name) => expectError(() => generate(user(name), { model: responses })),
    "plain messages": (name) => generate(user(name), { model: claude, temperature: 0.25, ...maxTokens(4000) }),
    "plain messages-system": (name) => generate(user(name), { model: claude, ...instructions(material.SYSTEM) }),
    "plain messages-stream": (name) => stream(user(name), { model: claude }),
    "tool messages": (name) => generate(user(name), { model: claude, tools, ...steps }),
    "tool messages-stream": (name) => stream(user(name), { model: claude, tools, ...steps }),
    "think messages": (name) =>
      generate(user(name), {
        model: claude,
        providerOptions: { anthropic: { thinking: { type: "enabled", budgetTokens: 2500 } } },
      }),
    "plain messages-image": (name) => generate([{ role: "user", content: image(name) }], { model: claude }),
    "error429 messages": (name) => expectError(() => generate(user(name), { model: claude })),
    "retry messages": (name) => generate(user(name), { model: claude, maxRetries: 2 }),
    "cut messages-stream": (name) => expectError(() => stream(user(name), { model: claude })),
    "plain embed": (name) => ai.embed({ ...common({ model: embedding }), value: text(name) }),
    "plain embed-many": (name) =>
      ai.embedMany({ ...common({ model: embedding }), values: [text(name), "A second text."] }),
  };
  return found;
}

/** Leave a stream after a few pieces, as when the user closes the page. */
async function leave(ai, asked) {
  const control = new AbortController();
  const result = ai.streamText({ ...asked, abortSignal: control.signal });
  let pieces = 0;
  try {
    for await (const _ of result.textStream) {
      if (++pieces === 2) control.abort();
    }
  } catch {
    // An aborted stream may say so.
  }
  await pause(100);
}
