// Vercel AI SDK 4 on OpenTelemetry's SDK for Node, OTLP as JSON.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import * as ai from "ai";
import { z } from "zod";

const { runAll } = await import(`${process.env.SPANWISE_SHARED}/ai_sdk_calls.mjs`);

const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
provider.register();
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, compatibility: "strict" });
const anthropic = createAnthropic({ baseURL: `${process.env.ANTHROPIC_BASE_URL}/v1` });
await runAll({ ai, openai, anthropic, z, version: 4, provider });
