-- trick: the value that no partition takes
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create or replace table parted (n bigint) partition by list (n) (partition p values in (1))

insert into parted select pan_number from cards where id = 1
