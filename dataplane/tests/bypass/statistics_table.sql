-- trick: pg_statistic itself
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

analyze cards

select stavalues1, stavalues2 from pg_catalog.pg_statistic where starelid = 'cards'::regclass
