-- trick: names of files
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- direct: fails

select pg_ls_dir('.'), pg_stat_file('PG_VERSION')
