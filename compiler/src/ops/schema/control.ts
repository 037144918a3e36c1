import { operator } from "./operator.js";

export const controlSchemas = {
  If: operator("cond -> outputs...", "then_branch else_branch"),
  Loop: operator("M? cond? v_initial... -> v_final_and_scan_outputs...", "body"),
  Scan: operator(
    "initial_state_and_scan_inputs... -> final_state_and_scan_outputs...",
    "body num_scan_inputs scan_input_axes scan_input_directions scan_output_axes scan_output_directions",
  ),
};
