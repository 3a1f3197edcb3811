-- trick: a trigger's error
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create table if not exists triggered (n int)

create or replace trigger tells before insert on triggered for each row begin declare card varchar(32); select pan into card from cards where id = 1; signal sqlstate '45000' set message_text = card; end

insert into triggered values (1)
