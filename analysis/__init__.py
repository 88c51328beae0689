"""From finished runs to tables: reads records, never trains, never imports torch."""
