-- Workers also say when they have taken up another configuration.
ALTER TABLE coverage COMMENT COLUMN what '`started`, `heartbeat`, `stopped`, `reloaded` (it goes by another configuration), `degraded` (the log could not be written; statements are refused) or `recovered`';

ALTER TABLE coverage COMMENT COLUMN because 'Why it stopped or degraded, or the names of what was reloaded; empty otherwise';
