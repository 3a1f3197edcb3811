-- trick: a cursor in a procedure
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create or replace procedure walk_all() begin declare card varchar(32); declare c cursor for select pan from cards; open c; fetch c into card; select card; fetch c into card; select card; close c; end

call walk_all()
