// A question, a search, an answer from a model. The attributes are those of the OpenTelemetry GenAI conventions:
// https://opentelemetry.io/docs/specs/semconv/gen-ai/
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

const tracer = trace.getTracer("node-otlp-example");

/** Runs `work` inside a span, and marks the span when it fails. */
function span(name, options, work) {
  return tracer.startActiveSpan(name, options, async (current) => {
    try {
      return await work(current);
    } catch (error) {
      current.recordException(error);
      current.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      current.setAttribute("error.type", error.name);
      throw error;
    } finally {
      current.end();
    }
  });
}

/** Messages as the conventions want them: JSON with roles and parts. */
function message(role, content, more = {}) {
  return JSON.stringify([{ role, parts: [{ type: "text", content }], ...more }]);
}

const HOURS = { Bern: "9:00 to 18:00", Zürich: "8:30 to 20:00" };

function lookUpHours(city) {
  const attributes = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "opening_hours",
    "gen_ai.tool.call.arguments": JSON.stringify({ city }),
  };
  return span("execute_tool opening_hours", { attributes }, async (current) => {
    if (!(city in HOURS)) {
      throw new RangeError(`there is no shop in ${city}`);
    }
    current.setAttribute("gen_ai.tool.call.result", JSON.stringify({ hours: HOURS[city] }));
    return HOURS[city];
  });
}

/** Stands for the call of your provider's client: what it is asked and what it answers goes on the span. */
function chat(question, facts) {
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4.1-mini",
    "gen_ai.request.temperature": 0.2,
    "gen_ai.input.messages": message("user", question),
  };
  return span("chat gpt-4.1-mini", { kind: SpanKind.CLIENT, attributes }, async (current) => {
    const answer = `We are open from ${facts}.`;
    current.setAttributes({
      "gen_ai.response.model": "gpt-4.1-mini-2025-04-14",
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": 1200,
      "gen_ai.usage.cache_read.input_tokens": 200,
      "gen_ai.usage.output_tokens": 50,
      "gen_ai.output.messages": message("assistant", answer, { finish_reason: "stop" }),
    });
    return answer;
  });
}

function assistant(question, city, user) {
  const attributes = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "shop-assistant",
    "gen_ai.conversation.id": `node-${user}`,
    "user.id": user,
  };
  return span("invoke_agent shop-assistant", { attributes }, async () => chat(question, await lookUpHours(city)));
}

for (const [city, user] of [["Bern", "ada"], ["Zürich", "bo"], ["Atlantis", "cy"]]) {
  const question = `When are you open in ${city}?`;
  try {
    console.log(`${question} ${await assistant(question, city, user)}`);
  } catch (error) {
    console.log(`${question} Sorry: ${error.message}.`);
  }
}
