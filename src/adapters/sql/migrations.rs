//! Bringing a database's schema to this version's, file by file; see `migrations/README.md`.
//!
//! Each file runs in a transaction with its bookkeeping row, so a killed migration is one that
//! ran or one that is pending. On PostgreSQL an advisory lock lets one node migrate at a time.

use super::{Pools, SqlStore, error::store_error, housekeeping, on, texts::statements};
use crate::{
    domain::time::Micros,
    ports::{
        StoreError,
        clock::{Clock, Ids},
    },
};
use sqlx::{
    Acquire, SqlSafeStr,
    migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator},
};
use uuid::Uuid;

const TABLE: &str = "_sqlx_migrations";

/// The files of one database.
macro_rules! files {
    ($database:literal) => {
        [
            (
                1,
                "catalogue",
                include_str!(concat!("../../../migrations/", $database, "/0001_catalogue.sql")),
            ),
            (2, "log", include_str!(concat!("../../../migrations/", $database, "/0002_log.sql"))),
            (
                3,
                "operations",
                include_str!(concat!("../../../migrations/", $database, "/0003_operations.sql")),
            ),
            (
                4,
                "orders",
                include_str!(concat!("../../../migrations/", $database, "/0004_orders.sql")),
            ),
            (
                5,
                "sessions",
                include_str!(concat!("../../../migrations/", $database, "/0005_sessions.sql")),
            ),
            (
                6,
                "carts",
                include_str!(concat!("../../../migrations/", $database, "/0006_carts.sql")),
            ),
            (
                7,
                "rules",
                include_str!(concat!("../../../migrations/", $database, "/0007_rules.sql")),
            ),
            (
                8,
                "payments",
                include_str!(concat!("../../../migrations/", $database, "/0008_payments.sql")),
            ),
            (
                9,
                "audit",
                include_str!(concat!("../../../migrations/", $database, "/0009_audit.sql")),
            ),
            (
                10,
                "order_mail",
                include_str!(concat!("../../../migrations/", $database, "/0010_order_mail.sql")),
            ),
            (
                11,
                "staff",
                include_str!(concat!("../../../migrations/", $database, "/0011_staff.sql")),
            ),
            (
                12,
                "quotes",
                include_str!(concat!("../../../migrations/", $database, "/0012_quotes.sql")),
            ),
            (
                13,
                "privacy",
                include_str!(concat!("../../../migrations/", $database, "/0013_privacy.sql")),
            ),
            (
                14,
                "tax_category",
                include_str!(concat!("../../../migrations/", $database, "/0014_tax_category.sql")),
            ),
            (
                15,
                "jobs",
                include_str!(concat!("../../../migrations/", $database, "/0015_jobs.sql")),
            ),
            (
                16,
                "locked_out",
                include_str!(concat!("../../../migrations/", $database, "/0016_locked_out.sql")),
            ),
            (
                17,
                "job_families",
                include_str!(concat!("../../../migrations/", $database, "/0017_job_families.sql")),
            ),
            (
                18,
                "job_schedule",
                include_str!(concat!("../../../migrations/", $database, "/0018_job_schedule.sql")),
            ),
            (
                19,
                "maintenance",
                include_str!(concat!("../../../migrations/", $database, "/0019_maintenance.sql")),
            ),
            (
                20,
                "job_suspects",
                include_str!(concat!("../../../migrations/", $database, "/0020_job_suspects.sql")),
            ),
            (
                21,
                "webhooks",
                include_str!(concat!("../../../migrations/", $database, "/0021_webhooks.sql")),
            ),
            (
                22,
                "job_sharing",
                include_str!(concat!("../../../migrations/", $database, "/0022_job_sharing.sql")),
            ),
            (
                23,
                "pool_autoscale",
                include_str!(concat!(
                    "../../../migrations/",
                    $database,
                    "/0023_pool_autoscale.sql"
                )),
            ),
            (
                24,
                "job_after",
                include_str!(concat!("../../../migrations/", $database, "/0024_job_after.sql")),
            ),
            (
                25,
                "job_progress",
                include_str!(concat!("../../../migrations/", $database, "/0025_job_progress.sql")),
            ),
        ]
    };
}

const SQLITE: &[(i64, &str, &str)] = &files!("sqlite");
const POSTGRES: &[(i64, &str, &str)] = &files!("postgres");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationState {
    Applied,
    Pending,
    /// Applied to this database and unknown to this program, which must leave it alone.
    Newer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationLine {
    pub version: i64,
    /// Empty for one that is newer than this program.
    pub name: &'static str,
    pub state: MigrationState,
}

statements! {
    IDENTITY = "SELECT database_id, epoch, created_by, created_at FROM meta";
}

/// Who a database is; made by its first migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseIdentity {
    pub database_id: Uuid,
    pub epoch: Uuid,
    /// The version of the program that made it.
    pub created_by: String,
    pub created_at: Micros,
}

#[derive(sqlx_macros::FromRow)]
struct IdentityRow {
    database_id: Uuid,
    epoch: Uuid,
    created_by: String,
    created_at: i64,
}

impl SqlStore {
    /// Who this database is.
    pub async fn identity(&self) -> Result<DatabaseIdentity, StoreError> {
        let row: IdentityRow =
            on!(self, IDENTITY, |pool, text| sqlx::query_as(text).fetch_one(pool).await)?;
        Ok(DatabaseIdentity {
            database_id: row.database_id,
            epoch: row.epoch,
            created_by: row.created_by,
            created_at: Micros(row.created_at),
        })
    }

    /// Every migration this program or the database knows, in order.
    pub async fn migration_status(&self) -> Result<Vec<MigrationLine>, StoreError> {
        let applied = self.applied().await?;
        let ours = self.files();
        let known = ours.iter().map(|&(version, name, _)| MigrationLine {
            version,
            name,
            state: match applied.contains(&version) {
                true => MigrationState::Applied,
                false => MigrationState::Pending,
            },
        });
        let newer = applied
            .iter()
            .filter(|version| ours.iter().all(|(v, ..)| v != *version))
            .map(|&version| MigrationLine { version, name: "", state: MigrationState::Newer });
        Ok(known.chain(newer).collect())
    }

    /// Runs what is pending and says what that was; with `dry_run`, says what it would be. Gives
    /// a new database its identity.
    pub async fn migrate(
        &self,
        dry_run: bool,
        clock: &dyn Clock,
        ids: &dyn Ids,
    ) -> Result<Vec<MigrationLine>, StoreError> {
        self.refuse_newer().await?;
        let mut lines = self.migration_status().await?;
        lines.retain(|line| line.state == MigrationState::Pending);
        if dry_run {
            return Ok(lines);
        }
        match &self.pools {
            Pools::Sqlite { path, .. } => {
                let mut conn = housekeeping(path).await?;
                migrator(SQLITE).run(&mut conn).await.map_err(in_words)?;
                identify(&mut conn, clock, ids).await.map_err(store_error)?;
                sqlx::Connection::close(conn).await.map_err(store_error)?;
            }
            Pools::Postgres(pool) => {
                let mut conn = pool.acquire().await.map_err(store_error)?;
                migrator(POSTGRES).run(&mut *conn).await.map_err(in_words)?;
                identify(&mut *conn, clock, ids).await.map_err(store_error)?;
            }
        }
        Ok(lines)
    }

    pub(super) async fn refuse_newer(&self) -> Result<(), StoreError> {
        let lines = self.migration_status().await?;
        match lines.iter().find(|line| line.state == MigrationState::Newer) {
            None => Ok(()),
            Some(line) => Err(StoreError::Corrupt(format!(
                "a newer version of stoa has changed it (migration {}); run that version, or \
                 restore a backup made by this one",
                line.version
            ))),
        }
    }

    fn files(&self) -> &'static [(i64, &'static str, &'static str)] {
        match &self.pools {
            Pools::Sqlite { .. } => SQLITE,
            Pools::Postgres(_) => POSTGRES,
        }
    }

    /// None at all in a new database, which has no table of them yet.
    async fn applied(&self) -> Result<Vec<i64>, StoreError> {
        let applied = match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let there = "SELECT name FROM sqlite_schema WHERE name = $1";
                let there = sqlx::query_scalar::<_, String>(there).bind(TABLE);
                if there.fetch_optional(readers).await.map_err(store_error)?.is_none() {
                    return Ok(Vec::new());
                }
                let mut conn = readers.acquire().await.map_err(store_error)?;
                conn.list_applied_migrations(TABLE).await
            }
            Pools::Postgres(pool) => {
                let there = "SELECT to_regclass($1) IS NOT NULL";
                let there = sqlx::query_scalar::<_, bool>(there).bind(TABLE);
                if !there.fetch_one(pool).await.map_err(store_error)? {
                    return Ok(Vec::new());
                }
                let mut conn = pool.acquire().await.map_err(store_error)?;
                conn.list_applied_migrations(TABLE).await
            }
        };
        Ok(applied.map_err(in_words)?.into_iter().map(|migration| migration.version).collect())
    }
}

fn migrator(files: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migrations = files.iter().map(|&(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// Once, whoever comes first.
async fn identify<'c, A, DB>(conn: A, clock: &dyn Clock, ids: &dyn Ids) -> Result<(), sqlx::Error>
where
    DB: sqlx::Database,
    A: Acquire<'c, Database = DB>,
    for<'e> &'e mut DB::Connection: sqlx::Executor<'e, Database = DB>,
    DB::Arguments: sqlx::IntoArguments<DB>,
    for<'q> Uuid: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    for<'q> i64: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    for<'q> &'q str: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    let mut conn = conn.acquire().await?;
    sqlx::query(
        "INSERT INTO meta (one, database_id, epoch, created_by, created_at)
         VALUES (1, $1, $2, $3, $4) ON CONFLICT (one) DO NOTHING",
    )
    .bind(ids.next())
    .bind(ids.next())
    .bind(env!("CARGO_PKG_VERSION"))
    .bind(clock.now().0)
    .execute(&mut *conn)
    .await?;
    Ok(())
}

fn in_words(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) => store_error(error),
        MigrateError::ExecuteMigration(error, version) => match store_error(error) {
            StoreError::Refused(why) => {
                StoreError::Refused(format!("migration {version} failed: {why}"))
            }
            other => other,
        },
        MigrateError::VersionMismatch(version) => StoreError::Corrupt(format!(
            "migration {version} was applied with other content: the database comes from a build \
             that was never released"
        )),
        other => StoreError::Corrupt(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folders_is_listed_and_both_have_the_same() {
        for (database, listed) in [("sqlite", SQLITE), ("postgres", POSTGRES)] {
            let folder = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
            let mut files: Vec<_> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            let listed = listed.iter().map(|(n, name, _)| format!("{n:04}_{name}.sql"));
            assert_eq!(files, listed.collect::<Vec<_>>(), "{database}");
        }
    }
}
