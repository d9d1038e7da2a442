import { z } from "zod";

export const YamlText = z.object({ yaml: z.string() });
