-- trick: the comment of a table
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create or replace table commented (n int) comment '4111111111111111'

show table status like 'commented'
