// Starts OpenTelemetry before the application. Where spans go and in which form is decided by the standard variables
// OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_HEADERS and so on, not here.
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK();
sdk.start();

// Sends what is still waiting when the application has nothing left to do.
process.once("beforeExit", () => sdk.shutdown());
