-- When each provider last answered, and last did not, as whoever asks it regularly found it.
CREATE TABLE contacts (
    provider TEXT PRIMARY KEY,
    answered_at BIGINT,
    failed_at BIGINT,
    away_since BIGINT
);
