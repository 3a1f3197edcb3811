-- trick: the default of a column
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create or replace table defaulted (note varchar(32) default '4111111111111111')

select column_default from information_schema.columns where table_name = 'defaulted'
