"""The open line to the screens: one hub a process, small wall-safe messages, healed by position."""
