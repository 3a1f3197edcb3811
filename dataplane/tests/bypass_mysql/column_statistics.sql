-- trick: statistics of a column
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple

analyze table cards persistent for all

select min_value, max_value from mysql.column_stats where column_name = 'pan'
