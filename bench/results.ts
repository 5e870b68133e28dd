import type { Environment } from "./environment.ts";
import type { BotDataFigures } from "./parts/bot-data.ts";
import type { ButtonsResults } from "./parts/buttons.ts";
import type { CodecFigures } from "./parts/codec.ts";
import type { GrowthFigures } from "./parts/growth.ts";
import type { PickleFigures } from "./parts/pickle.ts";
import type { StartsFigures } from "./parts/start.ts";
import type { UpdatesFigures } from "./parts/updates.ts";
import type { WrittenFigures } from "./parts/written.ts";
import type { StepFigures } from "./processes/job.ts";

/** Everything that was measured, by the names of the parts. */
export interface Figures {
  updates?: UpdatesFigures;
  growth?: GrowthFigures;
  start?: StartsFigures;
  "bot-data"?: BotDataFigures;
  pickle?: PickleFigures;
  written?: WrittenFigures;
  conversation?: StepFigures[];
  codec?: CodecFigures[];
  buttons?: ButtonsResults;
}

/** What a run leaves. */
export interface Results {
  readonly environment: Environment;
  readonly figures: Figures;
  readonly bars: readonly BarResult[];
}

/** A bar and what was measured for it. */
export interface BarResult {
  readonly what: string;
  /** What is asked for, in words. */
  readonly bar: string;
  readonly measured: string;
  readonly verdict: "met" | "missed" | "not measured";
}
