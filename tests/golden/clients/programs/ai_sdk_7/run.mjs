// Vercel AI SDK 7 on OpenTelemetry's SDK for Node, OTLP as JSON.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { LegacyOpenTelemetry, OpenTelemetry } from "@ai-sdk/otel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import * as ai from "ai";
import { z } from "zod";

const { runAll } = await import(`${process.env.SPANWISE_SHARED}/ai_sdk_calls.mjs`);

const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
provider.register();
const isLegacy = process.env.SPANWISE_VARIANT === "legacy";
ai.registerTelemetry(isLegacy ? new LegacyOpenTelemetry() : new OpenTelemetry({ runtimeContext: true }));
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL });
const anthropic = createAnthropic({ baseURL: `${process.env.ANTHROPIC_BASE_URL}/v1` });
await runAll({ ai, openai, anthropic, z, version: 7, provider });
