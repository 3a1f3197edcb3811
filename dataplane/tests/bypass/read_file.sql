-- trick: a file of the server
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- direct: fails

select pg_read_file('PG_VERSION')

select pg_read_binary_file('PG_VERSION')
