"""Videos that are made, drawn or composed of cut-outs, with exact masks."""
